package io.javisor.examples;

import io.javisor.api.DriveSpec;
import io.javisor.api.MachineBuilder;
import io.javisor.api.MemorySize;
import io.javisor.storage.disk.ImageFormat;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * What {@code --disk} is given: {@code FILE[,format=raw|vhd|vhdx][,readonly][,overlay][,direct][,sector=4096][,iops=N]
 * [,iops-min=N][,bandwidth=SIZE]}. A file's name may have commas: it ends where nothing but options follows.
 *
 * @param option what it is given to, for messages
 * @param file of the image
 * @param options each with its value, if it has one
 */
record DriveArgument(String option, Path file, List<String> options) {
    static final String SYNTAX = "FILE[,format=raw|vhd|vhdx][,readonly][,overlay][,direct][,sector=4096][,iops=N]"
            + "[,iops-min=N][,bandwidth=SIZE]";

    private static final Set<String> NAMES =
            Set.of("format", "readonly", "overlay", "direct", "shared", "sector", "iops", "iops-min", "bandwidth");
    private static final Set<String> FLAGS = Set.of("readonly", "overlay", "direct", "shared");

    static DriveArgument parse(String text) {
        return parse("--disk", text);
    }

    /** The same for a disk that is given to another option. */
    static DriveArgument parse(String option, String text) {
        String[] parts = text.split(",", -1);
        int file = parts.length;
        while (file > 1 && NAMES.contains(name(parts[file - 1]))) {
            file--;
        }
        String path = String.join(",", Arrays.asList(parts).subList(0, file));
        if (path.isEmpty()) {
            throw new IllegalArgumentException(option + " " + text + ": no file; write " + option + " " + SYNTAX);
        }
        var argument = new DriveArgument(option, Path.of(path), List.of(parts).subList(file, parts.length));
        argument.spec(); // says what is wrong
        return argument;
    }

    private static String name(String option) {
        int equals = option.indexOf('=');
        return equals < 0 ? option : option.substring(0, equals);
    }

    void addTo(MachineBuilder machine) {
        machine.disk(file, this::describe);
    }

    DriveSpec spec() {
        var builder = DriveSpec.builder(file);
        try {
            describe(builder);
            return builder.build();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(option + " " + file + ": " + e.getMessage(), e);
        }
    }

    void describe(DriveSpec.Builder builder) {
        options.forEach(option -> apply(option, builder));
    }

    private static void apply(String option, DriveSpec.Builder to) {
        int equals = option.indexOf('=');
        String value = equals < 0 ? "" : option.substring(equals + 1);
        String name = name(option);
        boolean flag = FLAGS.contains(name);
        if (flag != (equals < 0)) {
            throw new IllegalArgumentException(flag ? name + " takes no value" : name + " needs a value");
        }
        switch (name) {
            case "format" -> to.format(format(value));
            case "readonly" -> to.readOnly();
            case "overlay" -> to.overlay();
            case "direct" -> to.direct();
            case "shared" -> to.shared();
            case "sector" -> to.sectorBytes((int) Math.min(Integer.MAX_VALUE, number(name, value)));
            case "iops" -> to.iops(number(name, value));
            case "iops-min" -> to.minimumIops(number(name, value));
            default -> to.bandwidth(MemorySize.parse(value));
        }
    }

    private static long number(String name, String value) {
        if (!value.matches("[0-9]{1,18}")) {
            throw new IllegalArgumentException(name + "=" + value + " is no number");
        }
        return Long.parseLong(value);
    }

    static ImageFormat format(String name) {
        return switch (name.toLowerCase(Locale.ROOT)) {
            case "raw" -> ImageFormat.RAW;
            case "vhd", "vpc" -> ImageFormat.VHD;
            case "vhdx" -> ImageFormat.VHDX;
            default -> throw new IllegalArgumentException("format=" + name + "; raw, vhd and vhdx are known");
        };
    }
}
