"""The benchmark: compares this server with other model servers and with the floor costs."""
