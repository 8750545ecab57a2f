package io.javisor.examples;

import io.javisor.api.HostCheck;
import io.javisor.api.HostReport;
import java.util.Locale;
import java.util.stream.Collectors;

/** A host's report, for people and for programs. */
final class Reports {
    private Reports() {}

    /** One line. */
    static String summary(HostReport report) {
        String missing = report.checks().stream()
                .filter(c -> c.status() != HostCheck.Status.OK)
                .map(HostCheck::code)
                .collect(Collectors.joining(", "));
        long ok = report.checks().stream()
                .filter(c -> c.status() == HostCheck.Status.OK)
                .count();
        return (report.usable() ? "KVM is usable" : "KVM is not usable") + ", " + ok + " of "
                + report.checks().size() + " capabilities" + (missing.isEmpty() ? "" : "; lacks " + missing)
                + report.emulated().map(why -> "; " + why).orElse("");
    }

    /** A line for each check, with cost and remedy below those that failed. */
    static String text(HostReport report) {
        var text = new StringBuilder();
        for (HostCheck check : report.checks()) {
            String mark = switch (check.status()) {
                case OK -> "ok     ";
                case MISSING -> "missing";
                case FATAL -> "FATAL  ";
            };
            text.append(String.format(Locale.ROOT, "%s %-22s %s%n", mark, check.code(), check.what()));
            if (!check.cost().isEmpty()) {
                text.append("        without it: ").append(check.cost()).append('\n');
            }
            if (!check.remedy().isEmpty()) {
                text.append("        remedy:     ").append(check.remedy()).append('\n');
            }
        }
        report.unfitForStockKernels()
                .ifPresent(why -> text.append("Stock kernels run in the lab: ")
                        .append(why)
                        .append('\n'));
        return text.toString().stripTrailing();
    }

    static String json(HostReport report) {
        return report.checks().stream()
                .map(c -> "    {\"code\": " + quote(c.code()) + ", \"status\": "
                        + quote(c.status().name().toLowerCase(Locale.ROOT)) + ", \"what\": " + quote(c.what())
                        + ", \"cost\": " + quote(c.cost()) + ", \"remedy\": " + quote(c.remedy()) + "}")
                .collect(Collectors.joining(
                        ",\n",
                        "{\n  \"usable\": " + report.usable() + ",\n  \"hyperV\": " + report.hyperV()
                                + ",\n  \"emulated\": "
                                + report.emulated().map(Reports::quote).orElse("null") + ",\n  \"checks\": [\n",
                        "\n  ]\n}"));
    }

    static String quote(String text) {
        var quoted = new StringBuilder("\"");
        text.chars().forEach(c -> {
            switch (c) {
                case '"' -> quoted.append("\\\"");
                case '\\' -> quoted.append("\\\\");
                case '\n' -> quoted.append("\\n");
                default -> {
                    if (c < 0x20) {
                        quoted.append(String.format("\\u%04x", c));
                    } else {
                        quoted.append((char) c);
                    }
                }
            }
        });
        return quoted.append('"').toString();
    }
}
