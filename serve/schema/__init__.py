"""The features that a model expects, and the alignment of records with them."""
