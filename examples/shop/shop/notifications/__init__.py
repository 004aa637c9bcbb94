"""What customers hear from us: e-mail, SMS and push messages."""
