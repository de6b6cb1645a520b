"""Pictures of the console for the documentation: a stack with a story, a browser, a file for each page."""
