"""What an event costs as its call grows, of our pipeline and of a document that each event is pushed onto."""
