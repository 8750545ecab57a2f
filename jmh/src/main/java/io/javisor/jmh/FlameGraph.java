package io.javisor.jmh;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Draws what {@code perf script} prints of vCPUs' threads as flame graphs: who called is below, what is wide took long. {@code
 * FlameGraph FOLDER-OF-STACKS FOLDER-OF-GRAPHS}.
 */
public final class FlameGraph {
    private static final String SUFFIX = ".stacks";
    private static final String THREADS = "vcpu";
    private static final int WIDTH = 1200;
    private static final int ROW = 17;
    private static final int TOP = 30;
    private static final double LEAST = 0.5; // pixels that are drawn
    private static final double CHARACTER = 6.2; // pixels

    private final StringBuilder out = new StringBuilder();
    private final int all;
    private final int height;

    private FlameGraph(String title, Stacks.Node root) {
        all = root.samples();
        height = TOP + root.depth((int) Math.ceil(LEAST * all / WIDTH)) * ROW + 10;
        out.append(String.format(
                Locale.ROOT,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"monospace\" font-size=\"10\">%n"
                        + "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>%n"
                        + "<text x=\"10\" y=\"18\" font-size=\"13\">%s</text>%n",
                WIDTH,
                height,
                escaped(title + ", " + all + " samples")));
        callees(root, 0, height - 10 - ROW);
        out.append("</svg>\n");
    }

    /** Draws them, and writes the table of what their samples were about. */
    public static void main(String[] arguments) throws IOException {
        if (arguments.length != 2) {
            throw new IllegalArgumentException("FlameGraph FOLDER-OF-STACKS FOLDER-OF-GRAPHS");
        }
        var table = new StringBuilder("| | about | share |\n|---|---|--:|\n");
        List<Path> all;
        try (Stream<Path> files = Files.list(Path.of(arguments[0]))) {
            all = files.filter(f -> f.toString().endsWith(SUFFIX)).sorted().toList();
        }
        for (Path file : all) {
            String title = file.getFileName().toString().replace(SUFFIX, "");
            Stacks stacks;
            try (BufferedReader from = Files.newBufferedReader(file)) {
                stacks = Stacks.read(from, THREADS);
            }
            if (stacks.root().samples() == 0) {
                throw new IOException(file + ": no stack of a vCPU's thread");
            }
            Files.writeString(Path.of(arguments[1], title + ".svg"), new FlameGraph(title, stacks.root()).out);
            stacks.phases().entrySet().stream()
                    .sorted(Map.Entry.<String, Integer>comparingByValue().reversed())
                    .forEach(e -> table.append(String.format(
                            Locale.ROOT,
                            "| %s | %s | %.1f %% |%n",
                            title,
                            e.getKey(),
                            100.0 * e.getValue() / stacks.root().samples())));
        }
        System.out.println(table);
        String document = System.getProperty("javisor.jmh.document", "");
        if (!document.isEmpty()) {
            Report.replace(Path.of(document), "flame", HostDescription.text() + ".\n\n" + table);
        }
    }

    private void callees(Stacks.Node of, double x, int y) {
        for (Map.Entry<String, Stacks.Node> each : of.callees().entrySet()) {
            double width = (double) each.getValue().samples() / all * WIDTH;
            if (width >= LEAST) {
                draw(each.getKey(), each.getValue(), x, y, width);
                callees(each.getValue(), x, y - ROW);
            }
            x += width;
        }
    }

    private void draw(String name, Stacks.Node node, double x, int y, double width) {
        int characters = (int) (width / CHARACTER);
        String text =
                name.length() <= characters ? name : characters < 4 ? "" : name.substring(0, characters - 1) + "…";
        out.append(String.format(
                Locale.ROOT,
                "<g><title>%s: %.1f %%</title><rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\" stroke=\"#fff\"/>"
                        + "<text x=\"%.1f\" y=\"%d\">%s</text></g>%n",
                escaped(name),
                100.0 * node.samples() / all,
                x,
                y,
                width,
                ROW - 1,
                colour(name),
                x + 3,
                y + 12,
                escaped(text)));
    }

    /** Java green, C++ and C yellow, the kernel red: told by how names look. */
    private static String colour(String name) {
        if (name.matches("[\\w$]+\\.[\\w$<>]+|Interpreter|StubRoutines.*|.* [Ss]tub.*")) {
            return "#9ccc65";
        }
        return name.contains("::") || name.startsWith("__GI_") ? "#ffd54f" : "#ef9a9a";
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
