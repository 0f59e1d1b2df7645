"""What every provider adapter must do, and the means to see whether it does."""
