"""The commands: a thin shell over the rest of igmc that imports nothing heavy before there is work."""
