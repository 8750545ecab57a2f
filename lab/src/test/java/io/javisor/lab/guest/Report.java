package io.javisor.lab.guest;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a guest's /init said: lines of the form {@code name=value}, and warnings. */
record Report(Map<String, String> values, List<String> warnings, String text) {
    static Report of(String console) {
        if (!console.contains("end of report")) {
            throw new AssertionError("the guest's report is incomplete:\n" + console);
        }
        var values = new LinkedHashMap<String, String>();
        console.lines().forEach(line -> {
            int equals = line.indexOf('=');
            if (equals > 0 && line.substring(0, equals).matches("[a-z.0-9]+")) {
                values.put(line.substring(0, equals), line.substring(equals + 1).strip());
            }
        });
        return new Report(
                values, console.lines().filter(l -> l.startsWith("warning: ")).toList(), console);
    }

    String get(String name) {
        String value = values.get(name);
        if (value == null) {
            throw new AssertionError("the guest did not report " + name + ":\n" + text);
        }
        return value;
    }

    long number(String name) {
        return Long.parseLong(get(name));
    }
}
