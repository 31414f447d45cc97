"""What flow and chaos tests share: orders as Shopify sends them, the sender, looks into the sandbox ERP, the settled check."""
