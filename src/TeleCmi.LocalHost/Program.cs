return await TeleCmi.LocalHost.LocalHostProgram.RunAsync(args);
