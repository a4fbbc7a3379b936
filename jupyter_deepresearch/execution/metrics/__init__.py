"""From printed lines and reports to curves and the value that counts."""
