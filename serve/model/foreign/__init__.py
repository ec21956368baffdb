"""Files that the server does not load: what they are, and what to do about them."""
