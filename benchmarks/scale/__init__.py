"""What more workers bring, and for how long nothing is written when one comes or goes."""
