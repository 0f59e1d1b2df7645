"""What the processes of one service share."""
