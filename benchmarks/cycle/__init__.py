"""What a cycle costs: lakes of an ordinary estate, and the CPU seconds of what is asked of them."""
