"""Work dealt to several processes, whatever it is."""
