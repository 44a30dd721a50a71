FROM python:3.11-slim AS install

WORKDIR /app
COPY constraints.txt ./
RUN python -m venv /app/.venv \
 && sed '/^# development$/,$d' constraints.txt > run-time.txt \
 && .venv/bin/pip install --no-cache-dir --no-deps --require-hashes -r run-time.txt


FROM python:3.11-slim

RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin footnote \
 && install -d -o footnote -g footnote /data
WORKDIR /app
COPY --from=install /app/.venv .venv
COPY pyproject.toml LICENSE ./
COPY migrations migrations
COPY bot bot
# Compiled now, as the user that runs it may not write here.
RUN .venv/bin/python -m compileall -q bot migrations

ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PORT=3000 \
    DATABASE_URL=sqlite+aiosqlite:////data/footnote.db
USER footnote
VOLUME /data
EXPOSE 3000

# The bot says on its port that it lives. In Socket Mode without a port there is nothing to ask: when
# its process ends, the container does. This reads the environment only.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD \
  test -n "$SLACK_APP_TOKEN" && test -z "$PORT" || \
  python -c 'import http.client, os, sys; \
    port = int(os.environ.get("PORT") or 3000); \
    server = http.client.HTTPConnection("127.0.0.1", port, timeout=4); \
    server.request("GET", "/healthz"); \
    sys.exit(server.getresponse().status != 200)'

STOPSIGNAL SIGTERM
CMD ["python", "-m", "bot", "run"]
