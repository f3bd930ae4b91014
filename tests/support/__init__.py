"""What several tests share: fakes, servers, fixtures, and the people of the sandbox."""
