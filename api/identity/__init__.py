"""How people and programs prove who they are: passwords, codes, known devices, single sign-on, clients' keys."""
