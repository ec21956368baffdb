"""A web application that sends records from a form or a CSV file to an endpoint."""
