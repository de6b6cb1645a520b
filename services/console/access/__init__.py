"""Who may look: accounts, sessions, logins, and the roles that a page asks for."""
