"""What the image runs: the process policy of this image; nothing here is imported by serve/."""
