// The list of calls needs no script but for the time zone of the moments that are typed.

import { fillZone } from "./zone.js";

fillZone(document.getElementById("filters"));
