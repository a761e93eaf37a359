"""The published schemas of documents, and the check of a document against one of them."""
