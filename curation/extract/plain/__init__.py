"""What a page's tree needs before resiliparse makes plain text of it, and that text before it is Markdown."""
