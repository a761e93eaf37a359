"""What programs and other sites read of a board: JSON, Atom, badges, a page for frames, exports."""
