"""The report's pictures: drawn by matplotlib, coloured by the page they stand in."""
