"""Blind studies in pairs: a page for raters, a server that collects votes, and what is read from them."""
