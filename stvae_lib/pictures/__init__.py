"""Pictures: files, folders, colours, edges, generated styles."""
