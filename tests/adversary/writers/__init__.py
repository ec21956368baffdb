"""Writers: turn a table of known values into a payload, independently of the server's codecs."""
