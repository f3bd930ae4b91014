"""`miniapp dev`: the sandbox in this process, the app in a child process, and both kept in step with the files.

supervisor   starts, restarts, reloads, stops
├── project      what is kept in `.onechat/`, and the environment the app gets
├── process      the supervisor's handle on one child
│   └── child        the program that the child process runs
└── watch        which files changed, and what that calls for
"""
