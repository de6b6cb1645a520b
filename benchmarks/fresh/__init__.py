"""From produced to readable: how old what a reader sees is while events come steadily."""
