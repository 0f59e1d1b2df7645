"""A stand-in for Sinch: REST in, signed callbacks out, phones that ring."""
