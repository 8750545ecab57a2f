package io.javisor.examples;

import io.javisor.api.MemorySize;
import io.javisor.storage.disk.ImageDescription;
import io.javisor.storage.disk.ImageFormat;
import io.javisor.storage.disk.ImageWork;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code javisor disk info}. */
@Command(
        name = "info",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Says what an image says of itself; the file stays as it is.")
final class DiskInfoCommand implements Callable<Integer> {
    @Parameters(paramLabel = "FILE", description = "The image.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path file;

    @Option(names = "--format", paramLabel = "raw|vhd|vhdx", description = "Format, if the name does not say it.")
    private @Nullable String format;

    @Option(names = "--json", description = "For programs: the same as JSON.")
    private boolean json;

    @CommandLine.Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandLine.Model.CommandSpec spec;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        ImageFormat kind;
        try {
            kind = format == null ? ImageFormat.of(file) : DriveArgument.format(format);
        } catch (IllegalArgumentException e) {
            throw new CommandLine.ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
        ImageDescription image = ImageWork.inspect(file, kind);
        out.println(json ? json(image) : text(image));
        out.flush();
        return ExitCode.OK;
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    static String text(ImageDescription image) {
        var lines = new LinkedHashMap<String, String>();
        lines.put("format", lower(image.format()) + ", " + lower(image.layout()));
        lines.put("disk", MemorySize.format(image.size()) + " (" + image.size() + " bytes)");
        lines.put(
                "file",
                MemorySize.format(image.fileBytes()) + ", of which the host stores "
                        + MemorySize.format(image.allocatedBytes()));
        if (image.blockBytes() > 0) {
            lines.put("blocks", MemorySize.format(image.blockBytes()));
        }
        lines.put("sectors", image.sectorBytes() + " bytes, physically " + image.physicalSectorBytes());
        lines.put("identity", image.identity().toString());
        for (String parent : image.parents()) {
            lines.merge("parent", parent, (a, b) -> a + ", or " + b);
        }
        if (image.logInUse()) {
            lines.put("log", "not empty: replayed when it is next opened for writing");
        }
        return lines.entrySet().stream()
                .map(line -> String.format(Locale.ROOT, "%-9s %s", line.getKey(), line.getValue()))
                .collect(Collectors.joining(System.lineSeparator()));
    }

    static String json(ImageDescription image) {
        var values = new LinkedHashMap<String, Object>();
        values.put("path", image.path().toString());
        values.put("format", lower(image.format()));
        values.put("layout", lower(image.layout()));
        values.put("size", image.size());
        values.put("fileBytes", image.fileBytes());
        values.put("allocatedBytes", image.allocatedBytes());
        values.put("blockBytes", image.blockBytes());
        values.put("sectorBytes", image.sectorBytes());
        values.put("physicalSectorBytes", image.physicalSectorBytes());
        values.put("identity", image.identity().toString());
        values.put("logInUse", image.logInUse());
        String members = values.entrySet().stream()
                .map((Map.Entry<String, Object> e) -> "  \"" + e.getKey() + "\": "
                        + (e.getValue() instanceof String s ? Reports.quote(s) : e.getValue()))
                .collect(Collectors.joining(",\n"));
        return "{\n" + members + ",\n  \"parents\": ["
                + image.parents().stream().map(Reports::quote).collect(Collectors.joining(", ")) + "]\n}";
    }
}
