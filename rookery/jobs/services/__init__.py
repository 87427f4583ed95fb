"""Programs with a page for a browser, in jobs on compute nodes: `rookery serve`."""
