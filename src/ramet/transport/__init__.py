"""How a call travels: between processes of one host, and between hosts."""
