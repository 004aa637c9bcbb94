"""What methods of an `Api` take and give besides plain values."""
