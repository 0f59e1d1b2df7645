"""What is taken out of texts before they are written: card numbers, addresses and the like."""
