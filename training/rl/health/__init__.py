"""Health: alarms for the ways RL runs die, online while a run trains and offline from its logs or from curves."""
