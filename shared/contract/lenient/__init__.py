"""Reading with care what the strict pass does not accept: each field by itself, in any spelling of one meaning."""
