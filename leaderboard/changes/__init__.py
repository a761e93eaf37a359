"""What changed from one built site to another."""
