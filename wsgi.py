"""What web servers and the flask command load."""

from crm_admin.app import create_app

app = create_app()
