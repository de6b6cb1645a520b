"""Reading the usual event in one strict pass, and from the log without a second one."""
