"""What a response can contain besides the score."""
