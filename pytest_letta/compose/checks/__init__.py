"""What a compose file should promise, one check each: a file in, findings with their lines out."""
