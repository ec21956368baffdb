"""The web application: a form and a file upload in front of an endpoint."""
