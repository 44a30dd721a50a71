"""A question becomes an answer. Start reading at `run.py`."""
