"""All that knows the Responses API."""
