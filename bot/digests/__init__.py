"""A channel's messages become a digest."""
