"""The benchmark: this server against peers and floors, in one run."""
