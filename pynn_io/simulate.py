"""THE way to run: audit -> lower -> build -> run -> collect, in a child process. It knows no simulator."""
