"""Results: fetched from a cluster and put together."""
