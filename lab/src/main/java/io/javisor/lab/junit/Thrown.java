package io.javisor.lab.junit;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A throwable as text: no object of the lab is ever deserialized here. */
record Thrown(
        String type,
        @Nullable String message,
        List<StackTraceElement> frames,
        List<Thrown> suppressed,
        @Nullable Thrown cause) {
    private static final int MOST_CAUSES = 16;
    private static final int MOST_FRAMES = 1024;
    private static final int MOST_DEPTH = 64;

    static Thrown of(Throwable throwable) {
        return of(throwable, MOST_CAUSES);
    }

    private static Thrown of(Throwable throwable, int depth) {
        List<StackTraceElement> frames = List.of(throwable.getStackTrace());
        List<Thrown> suppressed = new ArrayList<>();
        Throwable cause = throwable.getCause();
        if (depth > 0) {
            for (Throwable each : throwable.getSuppressed()) {
                suppressed.add(of(each, depth / 4));
            }
        }
        return new Thrown(
                throwable.getClass().getName(),
                throwable.getMessage(),
                frames.subList(0, Math.min(frames.size(), MOST_FRAMES)),
                suppressed,
                cause == null || depth == 0 ? null : of(cause, depth - 1));
    }

    /** Something to throw that reads like it. */
    Throwable toThrowable() {
        LabTestFailure failure = new LabTestFailure(type, message, cause == null ? null : cause.toThrowable());
        failure.setStackTrace(frames.toArray(StackTraceElement[]::new));
        for (Thrown each : suppressed) {
            failure.addSuppressed(each.toThrowable());
        }
        return failure;
    }

    void write(DataOutputStream out) throws IOException {
        Wire.writeString(out, type);
        Wire.writeOptional(out, message);
        out.writeInt(frames.size());
        for (StackTraceElement frame : frames) {
            Wire.writeOptional(out, frame.getClassLoaderName());
            Wire.writeOptional(out, frame.getModuleName());
            Wire.writeOptional(out, frame.getModuleVersion());
            Wire.writeString(out, frame.getClassName());
            Wire.writeString(out, frame.getMethodName());
            Wire.writeOptional(out, frame.getFileName());
            out.writeInt(frame.getLineNumber());
        }
        out.writeInt(suppressed.size());
        for (Thrown each : suppressed) {
            each.write(out);
        }
        out.writeBoolean(cause != null);
        if (cause != null) {
            cause.write(out);
        }
    }

    static Thrown read(DataInputStream in) throws IOException {
        return read(in, MOST_DEPTH);
    }

    private static Thrown read(DataInputStream in, int depth) throws IOException {
        if (depth == 0) {
            throw new IOException("more than " + MOST_DEPTH + " causes, one below the other");
        }
        String type = Wire.readString(in);
        String message = Wire.readOptional(in);
        int count = Wire.readCount(in);
        List<StackTraceElement> frames = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            frames.add(new StackTraceElement(
                    Wire.readOptional(in),
                    Wire.readOptional(in),
                    Wire.readOptional(in),
                    Wire.readString(in),
                    Wire.readString(in),
                    Wire.readOptional(in),
                    in.readInt()));
        }
        count = Wire.readCount(in);
        List<Thrown> suppressed = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            suppressed.add(read(in, depth - 1));
        }
        return new Thrown(type, message, frames, suppressed, in.readBoolean() ? read(in, depth - 1) : null);
    }
}
