#pragma once

bool rewrite_scripts();  // `unit_tests --rewrite`: expected traces are written anew instead of compared
