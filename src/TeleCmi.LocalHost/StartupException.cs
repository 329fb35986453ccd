namespace TeleCmi.LocalHost;

/// <summary>The receiver cannot start; the message is one clear sentence with the way out.</summary>
public sealed class StartupException(string message, Exception? inner = null) : Exception(message, inner);
